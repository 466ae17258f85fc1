#pragma once

#include <initializer_list>

#include <signal.h>

namespace chancery {

// What a program does first through which secrets pass. Before it starts a thread.

/// No core file, no debugger of the same user, no file open to others; a peer that has gone ends no process.
void harden_process();

/// Blocks these signals in every thread to come. \return what main alone waits for, with sigwait(3)
[[nodiscard]] sigset_t block_signals(std::initializer_list<int> signals);

}  // namespace chancery
