#include "spa/macro.h"
