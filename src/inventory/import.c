#include "inventory/import.h"
