// What the API answers, as far as pages look at it (docs/openapi.json).
export interface OverviewAnswer {
	version: string;
	started_at: string;
	now: string;
	change: number;
	devices: {
		total: number;
		retired: number;
		provisioned_today: number;
		served: number;
		failing: number;
		never_seen: number;
	};
	rates: {
		seconds: number;
		accepted: number;
		handshakes: number;
		failed_handshakes: number;
		answers: number;
	};
	connections: { open: number; waiting: number };
	counters: Record<string, number>;
}

export interface ListenerCertificate {
	name: string; // of the listener
	path: string;
	state: string;
	attention: boolean;
	findings: { kind: string; text: string; attention: boolean }[];
	host: string;
	ca: string | null;
	recognised: string;
	lab: boolean;
	not_before: string | null;
	not_after: string | null;
	days: number;
	devices?: {
		accept: number;
		alone: number;
		alone_checking_dates: number;
		digest_too_new: number;
		want_san: number;
		unknown: number;
	};
}

export interface CertificatesAnswer {
	configuration: string;
	listeners: ListenerCertificate[];
	attention: number;
}

export interface FailureGroup {
	cause: string;
	confidence: string;
	listener: string;
	text: string;
	evidence: string;
	fix: string;
	sources: string;
	devices: number;
	recovered: number;
	events: number;
	first: string;
	last: string;
	models: Record<string, number>;
}

export interface DoctorAnswer {
	events: number;
	devices: number;
	served: number;
	failing: number;
	groups: FailureGroup[];
}
