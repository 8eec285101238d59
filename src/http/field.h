/*
 * field.h -- one more field of a head that request_parse() found good.
 *
 * struct request holds what every request is asked for; what only some servers
 * look at is read from the bytes of the head, when it is needed.
 */
#ifndef HTTP_FIELD_H
#define HTTP_FIELD_H

#include <stddef.h>

enum field_found {
	FIELD_NONE,    /* value is "" */
	FIELD_FOUND,   /* value is as sent, without blanks around it */
	FIELD_REFUSED, /* there are two of it, or it is too long; "" */
};

/*
 * Look for the field of that name in the len bytes of a complete head, as
 * request_parse() took them.  value gets it, in size bytes with the NUL.
 */
enum field_found field_find(const char *head, size_t len, const char *name,
    char *value, size_t size);

#endif
