/*
 * admission.h -- whose handshake is next.
 *
 * A connection waits here from accept() until its handshake begins: first for
 * its whole ClientHello, then for its turn.  Until then it costs a few hundred
 * bytes and no cryptography.  When all can be served, who came first is first.
 * When they cannot, who came last is: of those the most time is left, whereas
 * who has waited long will give up soon, and all work on it would be lost.  Who
 * has waited too long is given up here, before that work.
 *
 * Three kinds of connection wait apart.  Those that are likely to be cheap (a
 * session to resume, or an address from which known devices came) get three
 * turns of four.  Those from addresses that mostly open connections and leave
 * them are served when nobody else waits.  An address is judged by how its
 * connections end, not by their number: behind one there may be a whole site.
 *
 * One thread's.  Time is an argument.
 */
#ifndef SERVER_ADMISSION_H
#define SERVER_ADMISSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct addr;

enum waiting_place {
	WAITING_NOWHERE,
	WAITING_HELLO,	 /* for the ClientHello */
	WAITING_RETURN,	 /* for its turn: likely to be cheap */
	WAITING_NEW,	 /* ditto: nothing is known */
	WAITING_SUSPECT, /* ditto: from an address that wastes connections */
	WAITING_BEGUN,	 /* not any more: the handshake is under way */
	WAITING_PLACES,
};

/* Part of a connection; zeroed at first, then this module's. */
struct waiting {
	struct waiting *older, *newer;
	enum waiting_place place;
	uint64_t since_ms; /* accepted */
	uint64_t source;   /* key of the address */
};

struct admission_limits {
	size_t handshakes_max; /* under way at once */
	uint64_t patience_ms;  /* how long to wait for one's turn */
};

struct admission;

void admission_free(struct admission *admission);
struct admission *admission_new(void);

/* A connection was accepted. */
void admission_arrive(struct admission *admission, struct waiting *waiting,
    const struct addr *source, uint64_t now_ms);

/* Its ClientHello is there; resumes: it shows a session of ours. */
void admission_queue(struct admission *admission, struct waiting *waiting,
    bool resumes);

/* Who may begin now; NULL when nobody waits or enough have begun. */
struct waiting *admission_next(struct admission *admission,
    const struct admission_limits *limits);

/* Somebody who has waited for its turn for too long: to be closed. */
struct waiting *admission_late(struct admission *admission,
    const struct admission_limits *limits, uint64_t now_ms);

/* Can not all be served?  Somebody has waited for a turn for so long that who
 * came last is first; who is suspect does not count. */
bool admission_is_behind(const struct admission *admission,
    const struct admission_limits *limits, uint64_t now_ms);

/* Who is to make room for others: the oldest that waits for its hello, else
 * for its turn; NULL when all have begun. */
struct waiting *admission_oldest(const struct admission *admission);

enum admission_end {
	ADMISSION_PROVED, /* the handshake is complete */
	ADMISSION_WASTED, /* it failed, or nothing came */
	ADMISSION_LEFT,	  /* it hung up before its turn: a waste, unless we had
			   * let it wait for long */
	ADMISSION_ROOM,	  /* it made room: a waste if it had not said a word */
	ADMISSION_OURS,	  /* we gave it up: says nothing about the address */
};

/* It is over with: the handshake, or the connection before it.  Does nothing
 * when that was said already. */
void admission_leave(struct admission *admission, struct waiting *waiting,
    enum admission_end end, uint64_t now_ms);

/* How many there are in that place. */
size_t
admission_count(const struct admission *admission, enum waiting_place place);

/* How many have not begun; any thread may ask. */
size_t admission_waiting(const struct admission *admission);

#endif
