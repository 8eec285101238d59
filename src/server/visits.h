/*
 * visits.h -- our own connections to our own listeners: neither logged, counted
 * nor recorded, and they teach nothing.
 *
 * Who is about to connect says from which address and port it will come.  Asking
 * costs nothing while nobody does.
 */
#ifndef SERVER_VISITS_H
#define SERVER_VISITS_H

#include <stdbool.h>

struct addr;
struct visits;

#define VISITS_MAX 64 /* remembered at once; the oldest go */

void visits_free(struct visits *visits); /* NULL is fine */
struct visits *visits_new(void);

/* Any thread may; NULL in visits_have: there are none. */
void visits_add(struct visits *visits, const struct addr *source);
void visits_end(struct visits *visits); /* forget all */
bool visits_have(struct visits *visits, const struct addr *source);

#endif
