#include "spa/registry.h"
