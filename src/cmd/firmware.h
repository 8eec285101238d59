/*
 * firmware.h -- sprov firmware: the folder of images.
 */
#ifndef CMD_FIRMWARE_H
#define CMD_FIRMWARE_H

int cmd_firmware(int argc, char **argv);

#endif
