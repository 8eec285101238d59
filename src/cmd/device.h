/*
 * device.h -- "sprov device": the devices in the inventory.
 */
#ifndef CMD_DEVICE_H
#define CMD_DEVICE_H

int cmd_device(int argc, char **argv);

#endif
