#include "spa/rule.h"
