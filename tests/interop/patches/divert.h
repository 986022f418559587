/* Overwrites a function of libmesos with a jump to one of ours, and what both need for that. */
#ifndef DIVERT_H
#define DIVERT_H

#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* As much of libstdc++'s std::string as is needed to pass one. */
struct string {
  const char *text;
  size_t length;
  char small[16];
};

/* Overwrites the function's first instructions: movabs rax, target; jmp rax. */
static int divert(uint8_t *function, const void *target) {
  uint8_t jump[] = {0x48, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xe0};
  memcpy(jump + 2, &target, sizeof target);
  uintptr_t size = (uintptr_t)sysconf(_SC_PAGESIZE);
  uintptr_t first = (uintptr_t)function & ~(size - 1);
  uintptr_t end = (uintptr_t)function + sizeof jump;
  if (mprotect((void *)first, end - first, PROT_READ | PROT_WRITE | PROT_EXEC))
    return -1;
  memcpy(function, jump, sizeof jump);
  return 0;
}

#endif
