#!/bin/sh
# Import a fleet, read the plan and follow a migration: sprov's API with curl and jq.
#   SPROV_URL=https://prov.example.net:8444 SPROV_TOKEN=sprov_... api-client.sh devices.csv
set -eu

# METHOD PATH [options of curl]: leaves the answer in $answer, or says what is wrong.
ask() {
	method=$1 path=$2 && shift 2
	# The token comes by a pipe: an argument would be seen by everybody.
	answer=$(printf 'header = "Authorization: Bearer %s"\n' "$SPROV_TOKEN" |
		curl -sS --fail-with-body -K - -X "$method" "$@" "$SPROV_URL/api/v1/$path") ||
		{ show '.detail, (.report[]? | "line \(.line): \(.reason)")' >&2; return 1; }
}
show() { printf '%s\n' "$answer" | jq -r "$1"; }

# The same file twice is the same key, and imported once.
ask POST devices/import -H 'Content-Type: text/csv' --data-binary "@$1" \
	-H "Idempotency-Key: $(sha256sum <"$1" | cut -c1-64)"
show '"imported \(.added) of \(.rows) devices"'
ask GET plan
show '"planned for \(.covered) of \(.devices) devices:",
	(.listeners[] | "  \(.name): \(.devices) devices, \(.ca), \(.rule)")'
state=running
while [ "$state" = running ]; do
	ask GET migrations/newest
	show '"migration \(.id) is \(.state): \(.all.moved) of \(.all.devices) moved"'
	state=$(show .state)
	[ "$state" != running ] || sleep "${SPROV_PAUSE:-10}"
done
[ "$state" = 'done' ]
