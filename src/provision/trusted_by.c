#include "provision/trusted_by.h"
#include "spa/registry.h"
#include "spa/trust.h"
#include "tls/conn.h"

#include <string.h>

#define FIRMWARE_MAX 32 /* of one model */

static void
count_kind(const struct trusted_by_certificate *certificate,
    const struct model *model, const struct firmware *firmware,
    unsigned *counts)
{
	const struct stack *stack = registry_find_stack(model, firmware);

	if (stack == NULL || (certificate->sha2 && !stack->check_sha256) ||
	    (!certificate->current && stack->check_time))
		return;
	if (trust_resolve(model, firmware, certificate->ca).verdict ==
	    VERDICT_TRUSTED)
		counts[stack - registry_stacks]++;
}

void
trusted_by_stacks(const struct trusted_by_certificate *certificate,
    unsigned *counts)
{
	memset(counts, 0, registry_stack_count * sizeof(*counts));
	for (size_t i = 0; certificate->ca != NULL && i < registry_model_count;
	     i++) {
		const struct model *model = &registry_models[i];
		struct firmware list[FIRMWARE_MAX];
		size_t count = trust_distinct_firmware(model, list,
		    FIRMWARE_MAX);

		for (size_t j = 0; j < count; j++)
			count_kind(certificate, model, &list[j], counts);
		if (count == 0)
			count_kind(certificate, model, NULL, counts);
	}
}

unsigned
trusted_by_hello(const unsigned *counts, const struct tls_hello *hello)
{
	unsigned sum = 0;

	for (size_t i = 0; i < registry_stack_count; i++) {
		const struct stack *stack = &registry_stacks[i];

		if (stack->max_version == hello->max_version &&
		    stack->extensions == (hello->extension_count > 0))
			sum += counts[i];
	}
	return sum;
}
