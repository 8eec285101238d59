#include "admin/api.h"
#include "admin/conn.h"
#include "admin/conn_parts.h"
#include "pki/anchors.h"
#include "pki/chain.h"
#include "tls/context.h"

#include <stdlib.h>

void
front_release(struct front *front)
{
	if (front == NULL || --front->references > 0)
		return;
	tls_context_free(front->tls);
	chain_free(front->chain);
	anchors_free(front->anchors);
	free(front);
}

void
desk_init(struct desk *desk, uv_loop_t *loop, struct site *site)
{
	*desk = (struct desk) { .loop = loop, .site = site };
	desk->waiting_tail = &desk->waiting;
}

void
desk_close(struct desk *desk)
{
	struct person *next;

	for (struct person *person = desk->first; person != NULL;
	     person = next) {
		next = person->next;
		person_close(person);
	}
}

/* --------------------------------------------------------------- the pool */

void
desk_leave(struct person *person)
{
	struct person **link = &person->desk->waiting;

	if (!person->queued)
		return;
	while (*link != person)
		link = &(*link)->next_waiting;
	*link = person->next_waiting;
	if (person->next_waiting == NULL)
		person->desk->waiting_tail = link;
	person->queued = false;
}

static void start_work(struct desk *desk);

/* In the pool. */
static void
work(uv_work_t *work)
{
	struct person *person = work->data;

	if (person->asks)
		person->may_send = api_may_send(person->call);
	else
		api_answer(person->call);
}

static void
after_work(uv_work_t *work, int status)
{
	struct person *person = work->data;
	struct desk *desk = person->desk;

	(void)status; /* nobody cancels it */
	desk->working--;
	if (person->phase == PHASE_WORK && person->asks)
		person_asked(person);
	else if (person->phase == PHASE_WORK)
		person_answer(person);
	person_release(person);
	start_work(desk);
}

static void
start_work(struct desk *desk)
{
	while (desk->working < DESK_WORK_MAX && desk->waiting != NULL) {
		struct person *person = desk->waiting;

		desk_leave(person);
		desk->working++;
		person->open_handles++;
		person->work.data = person;
		(void)uv_queue_work(desk->loop, &person->work, work,
		    after_work);
	}
}

void
desk_queue(struct person *person)
{
	struct desk *desk = person->desk;

	(void)uv_timer_stop(&person->timer);
	person->phase = PHASE_WORK;
	person->queued = true;
	person->next_waiting = NULL;
	*desk->waiting_tail = person;
	desk->waiting_tail = &person->next_waiting;
	start_work(desk);
}

/* --------------------------------------------------------------- room */

bool
desk_make_room(struct desk *desk)
{
	struct person *oldest = NULL;

	if (desk->count < DESK_CONNECTIONS_MAX)
		return true;
	for (struct person *person = desk->first; person != NULL;
	     person = person->next)
		if (person->phase == PHASE_IDLE ||
		    person->phase == PHASE_HANDSHAKE)
			oldest = person;
	if (oldest != NULL)
		person_close(oldest);
	return oldest != NULL && desk->count < 2 * DESK_CONNECTIONS_MAX;
}
