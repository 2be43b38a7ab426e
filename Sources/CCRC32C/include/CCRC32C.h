#ifndef ORDNER_CCRC32C_H
#define ORDNER_CCRC32C_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/// Whether the processor has an instruction for CRC-32C (x86: SSE 4.2; Arm: the CRC32 extension).
bool ordner_crc32c_is_hardware(void);

/// Adds bytes to a CRC-32C register by that instruction; to be called only where there is one.
uint32_t ordner_crc32c_advance(uint32_t value, const void *_Nonnull bytes, size_t count);

#endif
