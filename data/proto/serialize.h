// SPDX-License-Identifier: Apache-2.0

// Messages as bytes that are the same in every run.

#ifndef CONTINUO_DATA_PROTO_SERIALIZE_H_
#define CONTINUO_DATA_PROTO_SERIALIZE_H_

#include <string>

#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/io/zero_copy_stream_impl_lite.h"
#include "google/protobuf/message_lite.h"

namespace continuo {

// The message with the entries of its maps by their keys: SerializeAsString
// writes them in an order that changes from run to run. For every message that
// has a map.
inline std::string SerializeSorted(
    const google::protobuf::MessageLite& message) {
  std::string bytes;
  {
    google::protobuf::io::StringOutputStream stream(&bytes);
    google::protobuf::io::CodedOutputStream coded(&stream);
    coded.SetSerializationDeterministic(true);
    if (!message.SerializeToCodedStream(&coded)) return "";
  }
  return bytes;
}

}  // namespace continuo

#endif  // CONTINUO_DATA_PROTO_SERIALIZE_H_
