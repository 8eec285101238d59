#include "spa/defective.h"

#include <stddef.h>
#include <string.h>

bool
defective_serial(const char *serial)
{
	static const char *const lines[] = { "FM500F", "FM600F", "FM700F" };

	if (strlen(serial) != 12 || strspn(serial + 6, "0123456789") != 6 ||
	    strcmp(serial + 6, "100000") < 0 ||
	    strcmp(serial + 6, "699999") > 0)
		return false;
	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++)
		if (strncmp(serial, lines[i], 6) == 0)
			return true;
	return false;
}
