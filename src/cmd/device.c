#include "cmd/device.h"

#include "cmd/cmd.h"
#include "cmd/device_common.h"

int
cmd_device(int argc, char **argv)
{
	static const struct command commands[] = {
		{ "add", "add one device", device_add },
		{ "import", "add or update devices from a CSV file",
		    device_import },
		{ "export", "write the inventory as CSV or JSON",
		    device_export },
		{ "list", "list the devices", device_list },
		{ "show", "show a device with its variables", device_show },
		{ "set", "change a device, or the variables of many",
		    device_set },
		{ "drift", "compare what devices report with what they got",
		    device_drift },
		{ "resync", "tell devices to fetch their profile now",
		    device_resync },
		{ "remove", "remove devices, groups and tags", device_remove },
		{ "type", "declare what variables may hold", device_type },
		{ "reseal", "encrypt secrets with a key", device_reseal },
	};

	return cmd_run("sprov device", commands,
	    sizeof(commands) / sizeof(*commands), argc, argv);
}
