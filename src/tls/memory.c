#include "tls/memory.h"
#include "base/pool.h"

#include <assert.h>

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
	int taken;

	if (!pool_open())
		return;
	taken = CRYPTO_set_mem_functions(take, resize, give_back);
	/* Else OpenSSL has memory already, and nobody would notice. */
	assert(taken == 1);
	(void)taken;
}
