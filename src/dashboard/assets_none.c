#include "dashboard/assets.h"

/* C knows no empty arrays. */
const struct asset dashboard_assets[] = { { .path = NULL } };
const size_t dashboard_asset_count = 0;
