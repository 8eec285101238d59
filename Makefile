# The front door.  "make" sets up and builds; the rest says what it does.
BUILD = build

.PHONY: all setup demo check clean

all: setup
	@test -d $(BUILD) || meson setup $(BUILD) >/dev/null
	@ninja -C $(BUILD) --quiet

setup:
	@tools/setup
