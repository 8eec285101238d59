#include "inventory/inventory.h"
