/*
 * Reports: the first byte says of which kind and how coded; what is read can be
 * read again, and says the same.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "provision/report.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const keys[] = { "key" };
	static const char *const codings[] = { "", "gzip", "aes128gcm",
		"identity" };
	struct report_input input = { .keys = keys, .key_count = 1 };
	struct report report, again;
	struct error err;

	if (size == 0)
		return 0;
	input.kind = DOCUMENT_REPORT + data[0] % 3;
	input.coding = codings[data[0] / 3 % 4];
	input.data = data + 1;
	input.len = size - 1;
	if (report_read(&input, &report, &err) == 0) {
		assert(report.text.len <= DOCUMENT_TEXT_MAX);
		input.coding = "";
		input.data = report.text.data;
		input.len = report.text.len;
		/* Its own text may be longer than what was given. */
		if (report_read(&input, &again, &err) == 0) {
			assert(again.parameters == report.parameters);
			assert(strcmp(buf_text(&again.text),
				   buf_text(&report.text)) == 0);
		}
		report_clear(&again);
	} else {
		assert(report.text.len == 0 && err.text[0] != '\0');
	}
	report_clear(&report);
	return 0;
}
