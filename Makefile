# The front door.  Meson does the work; each target here is a few words.
BUILD = build
SAN = build-san
TSAN = build-tsan
FUZZ = build-fuzz
COVERAGE = build-coverage
FUZZ_SECONDS = 5

.PHONY: all setup setup-all demo dashboard check lint pages san secrets fuzz bench layers coverage clean

all: setup
	@test -d $(BUILD) || meson setup $(BUILD) >/dev/null
	@ninja -C $(BUILD) --quiet

setup:
	@tools/setup

setup-all:
	@tools/setup --all

# The main job on this machine, nothing to configure.
demo: all
	$(BUILD)/sprov lab

# With the pages of the admin listener, or an error that says what is missing;
# "make" alone leaves them out then.
dashboard: setup
	@test -d $(BUILD) || meson setup $(BUILD) >/dev/null
	@meson configure $(BUILD) -Ddashboard=enabled
	@rm -f $(BUILD)/src/dashboard/assets_data.c
	@ninja -C $(BUILD) --quiet

# All tests; the last line says how many passed.
check: all
	@tools/check $(BUILD)

# Includes point down the folders only.
layers:
	@tools/layers

lint: setup-all all
	@tools/lint $(BUILD)

# The dashboard in a browser, page by page.
pages: setup-all all
	@tools/pages $(BUILD)

# The unit tests, and the server under load, with the sanitizers.
san: setup-all
	@tools/sanitize $(SAN) $(TSAN)

# Does a branch or an address in our own arithmetic depend on a secret?
secrets: setup-all all
	@tools/secrets $(BUILD)

# Every fuzz target over its corpus, and FUZZ_SECONDS of new input.
fuzz: setup-all
	@tools/fuzz $(FUZZ) $(FUZZ_SECONDS)

# Line coverage of src/ by everything that "make check" runs.
coverage: setup-all
	@tools/coverage $(COVERAGE)

# CPU per resync beside nginx, in short; a large plan.  The long forms are
# bench/peers and bench/scenarios: docs/benchmarks.md.
bench: all
	@bench/peers $(BUILD) --short
	@bench/plan $(BUILD)
	@bench/inventory $(BUILD)
	@bench/profile $(BUILD)

clean:
	rm -rf $(BUILD) $(SAN) $(TSAN) $(FUZZ) $(COVERAGE)
