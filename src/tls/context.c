#include "tls/context.h"
