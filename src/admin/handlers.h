/*
 * handlers.h -- the answers that api.c's table names; all run in the pool.
 *
 * text is what the '*' of the path stands for; "" when it has none.
 */
#ifndef ADMIN_HANDLERS_H
#define ADMIN_HANDLERS_H

struct call;

typedef void api_handler(struct call *call, const char *text);

/* api_state.c */
api_handler api_overview, api_rates, api_listeners, api_session, api_groups;
/* figures.c */
api_handler api_metrics;
/* api_login.c */
api_handler api_login, api_logout, api_password;
/* api_devices.c */
api_handler api_devices, api_device;
/* api_device_edit.c, api_import.c */
api_handler api_device_add, api_device_change, api_device_remove,
    api_device_import;
/* api_settings.c */
api_handler api_settings, api_settings_change, api_settings_remove;
/* api_migration.c */
api_handler api_migration_stop, api_migration_rollback;
/* api_accounts.c */
api_handler api_accounts, api_account, api_account_add, api_account_reset,
    api_account_remove, api_tokens, api_token, api_token_add, api_token_remove;
/* api_audit.c */
api_handler api_audit;
/* api_events.c */
api_handler api_events, api_device_events;
/* api_reports.c: what commands print as JSON */
api_handler api_certificates, api_cas, api_matrix, api_trust, api_plan,
    api_migrations, api_migration, api_doctor, api_exceptions, api_expiry,
    api_variables, api_profile, api_diff, api_drift, api_device_doctor;

#endif
