/*
 * memory.h -- where OpenSSL has its memory from.
 */
#ifndef TLS_MEMORY_H
#define TLS_MEMORY_H

/*
 * From base/pool.h, for the whole process and from now on.  Before anything
 * else of OpenSSL: later it goes on with malloc(), as it does where there is
 * no pool.
 */
void tls_memory_use_pool(void);

#endif
