/*
 * profile.h -- "sprov profile": what each device gets.
 */
#ifndef CMD_PROFILE_H
#define CMD_PROFILE_H

int cmd_profile(int argc, char **argv);

#endif
