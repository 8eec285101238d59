#include "tls/memory.h"
#include "base/pool.h"

#include <openssl/crypto.h>

static void *
take(size_t size, const char *file, int line)
{
	(void)file;
	(void)line;
	return pool_alloc(size);
}

static void *
resize(void *block, size_t size, const char *file, int line)
{
	(void)file;
	(void)line;
	return pool_realloc(block, size);
}

static void
give_back(void *block, const char *file, int line)
{
	(void)file;
	(void)line;
	pool_free(block);
}

void
tls_memory_use_pool(void)
{
	if (pool_open())
		(void)CRYPTO_set_mem_functions(take, resize, give_back);
}
