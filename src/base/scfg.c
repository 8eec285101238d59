#include "base/scfg.h"
