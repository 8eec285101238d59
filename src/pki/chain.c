#include "pki/chain.h"
