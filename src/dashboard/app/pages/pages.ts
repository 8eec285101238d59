// The pages, in the order of the menu.  A page is here when it is finished.
import type { ComponentType } from "preact";
import type { Route } from "../lib/route";
import type { Session } from "../lib/session";
import type { IconName } from "../ui/icons";
import { Account } from "./account";
import { Audit } from "./audit";
import { Certificates } from "./certificates";
import { Devices } from "./devices";
import { Doctor } from "./doctor";
import { Live } from "./live";
import { Migrations } from "./migration";
import { Overview } from "./overview";
import { Plan } from "./plan";
import { Trust } from "./trust";

export interface PageProps {
	route: Route; // parts[0] is the page's name
	session: Session;
}

export interface PageEntry {
	name: string; // in the address
	title: string;
	icon: IconName;
	scope: string; // without it the page is not offered
	whole: boolean; // about the devices of all tenants
	apart?: boolean; // not in the menu: something else leads there
	page: ComponentType<PageProps>;
}

export const PAGES: PageEntry[] = [
	{ name: "overview", title: "Overview", icon: "overview", scope: "read",
		whole: false, page: Overview },
	{ name: "devices", title: "Devices", icon: "devices", scope: "read",
		whole: false, page: Devices },
	{ name: "trust", title: "Trust", icon: "trust", scope: "read",
		whole: false, page: Trust },
	{ name: "plan", title: "Plan", icon: "plan", scope: "read",
		whole: true, page: Plan },
	{ name: "certificates", title: "Certificates", icon: "certificates",
		scope: "read", whole: true, page: Certificates },
	{ name: "live", title: "Live", icon: "live", scope: "read",
		whole: false, page: Live },
	{ name: "doctor", title: "Doctor", icon: "doctor", scope: "read",
		whole: true, page: Doctor },
	{ name: "migration", title: "Migration", icon: "migration",
		scope: "read", whole: true, page: Migrations },
	{ name: "audit", title: "Audit", icon: "audit", scope: "audit",
		whole: false, page: Audit },
	{ name: "account", title: "Account", icon: "key", scope: "read",
		whole: false, apart: true, page: Account },
];

export function hasPage(name: string): boolean {
	return PAGES.some((entry) => entry.name === name);
}
