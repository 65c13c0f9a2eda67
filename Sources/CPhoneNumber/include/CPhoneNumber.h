#ifndef CPHONENUMBER_H
#define CPHONENUMBER_H
#include <stdint.h>
#endif
