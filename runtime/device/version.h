// SPDX-License-Identifier: Apache-2.0

// What this program is, for --version and for what it writes.

#ifndef CONTINUO_RUNTIME_DEVICE_VERSION_H_
#define CONTINUO_RUNTIME_DEVICE_VERSION_H_

#include <string>

namespace continuo {

// "0.2.0".
std::string ProgramVersion();

// Version, commit, build, instruction set and devices in one line:
// "continuo 0.2.0 (1a2b3c4) Release, GCC 12.2.0, CPU only; AVX-512; no GPU".
std::string VersionText();

}  // namespace continuo

#endif  // CONTINUO_RUNTIME_DEVICE_VERSION_H_
