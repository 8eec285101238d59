/* Manifests: what is read can be written and is read again the same. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "provision/images.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct errors errors = { 0 };
	struct images images, again;
	char *text;

	if (images_parse(&images, "m", (const char *)data, size, &errors) ==
	    0) {
		text = images_format(&images);
		assert(images_parse(&again, "m", text, strlen(text), &errors) ==
		    0);
		assert(again.count == images.count);
		for (size_t i = 0; i < images.count; i++) {
			assert(images_is_name(images.list[i].file));
			assert(strcmp(images.list[i].file,
				   again.list[i].file) == 0);
			assert(images.list[i].model_count ==
			    again.list[i].model_count);
		}
		images_clear(&again);
		images_clear(&images);
		free(text);
	} else {
		assert(errors.count > 0 && images.count == 0);
	}
	errors_clear(&errors);
	return 0;
}
