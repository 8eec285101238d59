/*
 * memory.h -- where OpenSSL has its memory from.
 */
#ifndef TLS_MEMORY_H
#define TLS_MEMORY_H

/*
 * From base/pool.h, for the whole process and from now on; from malloc() where
 * there is no pool.  To be called once, and before anything else of OpenSSL,
 * which changes no more when it has memory: that is asserted.
 */
void tls_memory_use_pool(void);

#endif
