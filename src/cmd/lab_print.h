/*
 * lab_print.h -- the lab's report for people and for scripts.
 */
#ifndef CMD_LAB_PRINT_H
#define CMD_LAB_PRINT_H

#include <stddef.h>

struct lab_report;

/* Say on standard error what is being done: one line that changes on a
 * terminal, else one line per stage.  stage NULL ends it. */
void
lab_print_progress(void *arg, const char *stage, size_t done, size_t total);

void lab_print_text(const struct lab_report *report);
void lab_print_json(const struct lab_report *report);

#endif
