// What ranks send each other beside the program's calls: notices of failure and
// questions, and the coordinator's mail.
#pragma once

#include <cstring>
#include <string>

#include "comm/mpi/engine.h"

namespace protean::mpi {

constexpr int kNoticeTag = 1;
constexpr int kMailTag = 1;  // on a communicator of its own

inline Clock::duration ticks(double seconds) {
  return std::chrono::duration_cast<Clock::duration>(
      std::chrono::duration<double>(seconds));
}

// A message on the notice channel; one size, so that one receive fits all.
struct Engine::Notice {
  enum Kind : uint32_t { failure, informed, question, reply };
  Kind kind = failure;
  int32_t from = 0;
  int32_t culprit = 0;
  int32_t exit_code = 0;
  uint32_t question_number = 0;
  uint32_t noted = 0;  // question: about the noted calls
  uint64_t channel = 0;
  uint64_t call = 0;
  char text[976] = {};

  void set_text(const std::string& s) {
    std::strncpy(text, s.c_str(), sizeof text - 1);
  }
};

struct Engine::Outgoing {
  Notice notice;
  std::string mail;  // instead of the notice
  bool is_mail = false;
  MPI_Request request = MPI_REQUEST_NULL;
};

struct Engine::Incoming {
  Mail mail;
  MPI_Request request = MPI_REQUEST_NULL;
};

}  // namespace protean::mpi
