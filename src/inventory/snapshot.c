#include "inventory/snapshot.h"
