#include "spa/trust.h"
