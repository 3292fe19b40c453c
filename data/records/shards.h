// SPDX-License-Identifier: Apache-2.0

// The files that a data set is in, from how a user names them.

#ifndef CONTINUO_DATA_RECORDS_SHARDS_H_
#define CONTINUO_DATA_RECORDS_SHARDS_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "runtime/base/work_share.h"

namespace continuo {

// The files of one name: a path, a pattern, or "name@64" for
// "name-00000-of-00064" to "name-00063-of-00064" (with "name@1" also for
// "name" itself). A path that exists means itself, whatever is in it. NotFound
// names what is missing.
absl::StatusOr<std::vector<std::string>> ExpandShards(absl::string_view name);

// The files of a data set: of one name, or of several with commas between them
// (those in the brackets of a pattern do not count). Their order does not
// depend on how they are named: it is that of the bytes of their absolute
// paths, "." and ".." taken out.
//
// Errors name the file: NotFound for a missing one, InvalidArgument for one
// that is given twice and for sets "name-00000-of-00064" that are not whole, or
// of which there are two with different numbers of files. A single path may be
// one file of a set.
absl::StatusOr<std::vector<std::string>> ShardFiles(absl::string_view spec);

// The errors of ShardFiles among those of `paths` that are files of sets; the
// others may be anything, any number of times.
absl::Status CheckShardSets(absl::string_view spec,
                            const std::vector<std::string>& paths);

// Whether two paths are files of one set "name-00000-of-00064".
bool AreOfOneSet(const std::string& a, const std::string& b);

// The names of `num_shards` files of one set: `path` itself for one shard,
// else "path-00000-of-00008" and so on.
std::vector<std::string> ShardNames(absl::string_view path, int num_shards);

// What process `share.rank` writes of a file that several make together:
// "path-00001-of-00004"; `path` itself where one makes it, and for an output
// that is not wanted.
std::string ShareName(const std::string& path, const WorkShare& share);

}  // namespace continuo

#endif  // CONTINUO_DATA_RECORDS_SHARDS_H_
