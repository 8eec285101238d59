/*
 * For tools/secrets: private operations in lanes, under valgrind, with the key
 * and the blocks marked as undefined: a branch or an address that depends on
 * them is then an error that memcheck reports.  With the argument "leak" there
 * is one, so that it is seen that it does.
 */
#include <malloc.h>
#include <stdio.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <valgrind/memcheck.h>

#include "tls/rsa_lanes.h"

int
main(int argc, char **argv)
{
	static uint8_t blocks[RSA_LANES_OPERATIONS][RSA_LANES_BYTES];
	struct rsa_lanes_operation operations[RSA_LANES_OPERATIONS];
	EVP_PKEY *pkey = EVP_RSA_gen(8 * RSA_LANES_BYTES);
	struct error err;
	struct rsa_lanes_key *key = rsa_lanes_key_new(pkey, &err);
	bool ok = true;

	if (key == NULL ||
	    RAND_bytes((unsigned char *)blocks, sizeof(blocks)) != 1)
		return 2;
	for (size_t i = 0; i < RSA_LANES_OPERATIONS; i++) {
		blocks[i][0] = 0; /* below the modulus */
		operations[i] = (struct rsa_lanes_operation) { key, blocks[i],
			blocks[i], false };
	}
	(void)VALGRIND_MAKE_MEM_UNDEFINED(key, malloc_usable_size(key));
	(void)VALGRIND_MAKE_MEM_UNDEFINED(blocks, sizeof(blocks));
	rsa_lanes_operate_portably(operations, RSA_LANES_OPERATIONS);
	if (argc > 1 && strcmp(argv[1], "leak") == 0 && blocks[0][9] % 2 == 0)
		(void)puts("even");
	/* What comes out is told to everybody. */
	(void)VALGRIND_MAKE_MEM_DEFINED(operations, sizeof(operations));
	for (size_t i = 0; i < RSA_LANES_OPERATIONS; i++)
		ok = ok && operations[i].ok;
	rsa_lanes_key_free(key);
	EVP_PKEY_free(pkey);
	(void)puts(ok ? "done" : "wrong");
	return ok ? 0 : 1;
}
