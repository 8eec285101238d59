// What the API answers, as far as pages look at it (docs/openapi.json).
export interface OverviewAnswer {
	version: string;
	started_at: string;
	now: string;
	devices: {
		total: number;
		retired: number;
		provisioned_today: number;
		served: number;
		failing: number;
		never_seen: number;
	};
	// Of the whole server: not for tenants.
	change?: number;
	rates?: {
		seconds: number;
		accepted: number;
		handshakes: number;
		failed_handshakes: number;
		answers: number;
	};
	connections?: { open: number; waiting: number };
	counters?: Record<string, number>;
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

export interface Device {
	mac: string;
	model: string;
	firmware: string;
	serial: string;
	group: string;
	state: "active" | "retired";
	tags: string[];
	standing: "never" | "served" | "failing";
	last_status: number;
	last_at: string | null;
	profile_at: string | null;
}

export interface DevicesAnswer {
	devices: Device[];
	cursor: string | null;
	total: number;
}

export interface Resync {
	listener: string;
	ca: string;
	last_status: number;
	last_at: string | null;
	first_at: string | null;
	profile_at: string | null;
	answers: number;
	profiles: number;
}

export interface DeviceAnswer extends Device {
	resyncs: Resync[];
}

export interface GroupsAnswer {
	groups: { name: string; kind: string; parent: string; devices: number }[];
}

export interface ListenersAnswer {
	listeners: { name: string; addresses: string[] }[];
}

export interface Event {
	id: number;
	at: string;
	kind: "served" | "refused" | "invalid" | "no-request" | "handshake";
	listener: string;
	ca: string;
	source: string;
	microseconds: number;
	mac: string | null;
	product: string;
	serial: string;
	firmware: string;
	certificate: {
		sha256: string;
		issuer: string;
		anchor: string;
		verify: string; // what is wrong with it
		form: string;
		not_before: string | null;
		not_after: string | null;
	} | null;
	tls_version: string | null;
	tls_offered: string | null;
	tls_cipher: string;
	alert_sent: string | null;
	alert_received: string | null;
	method: string;
	path: string;
	user_agent: string;
	status: number;
	reason: string;
	bytes: number;
}

export interface EventsAnswer {
	events: Event[];
	cursor: number | null;
	last: number;
}

export interface VariablesAnswer {
	variables: Record<string,
		{ value: string; from: string; hidden: boolean }>;
}

export interface ProfileAnswer {
	template: string;
	profile: string;
}

export interface Change {
	path: string;
	parameter: string;
	change: string; // "changed", "added", "removed"
	served?: string | null;
	now?: string | null;
	secret: boolean;
}

export interface DiffAnswer {
	served_since: string | null;
	listener?: string | null;
	template?: string | null;
	known: "never-served" | "whole" | "redacted" | "hash";
	same: boolean;
	changes: Change[];
}

export interface DriftAnswer {
	state: string;
	reported_at: string | null;
	compared: number;
	parameters: {
		path: string;
		parameter: string;
		state: string;
		why: string;
		served?: string | null;
		reported?: string | null;
		secret: boolean;
	}[];
}

export interface TrustAnswer {
	model: string;
	family: string;
	cas: { ca: string; state: string; verdict: string | null }[];
}

export interface AuditChange {
	target?: string;
	is?: string;
	type?: string;
	fields?: Record<string, string[]>;
	set?: string[];
	unset?: string[];
}

export interface AuditEntry {
	id: number;
	at: string;
	by: "command" | "account" | "token" | "nobody";
	who: string;
	from: string | null;
	tenant: string | null;
	action: string;
	object: string | null;
	result: "done" | "refused";
	detail?: {
		devices_added?: number;
		devices_changed?: number;
		devices_removed?: number;
		others?: number;
		changes?: AuditChange[];
		[other: string]: unknown;
	};
	previous: string;
	hash: string;
}

export interface AuditAnswer {
	entries: AuditEntry[];
	cursor: number | null;
	last: number;
}

export interface RatesAnswer {
	at: number[]; // seconds since 1970
	answers: number[];
	handshakes: number[];
	failed_handshakes: number[];
	answer_median_us: (number | null)[];
	answer_99_us: (number | null)[];
	handshake_median_us: (number | null)[];
	handshake_99_us: (number | null)[];
}
