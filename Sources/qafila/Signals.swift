import CLinux
import Glibc
import Reactor

/// SIGINT and SIGTERM as events on a reactor. A handler may only do what is safe at any moment: it writes to an
/// eventfd.
enum Signals {
  nonisolated(unsafe) private static var wake: Int32 = -1

  /// Calls `received` on the reactor's thread at each of the two signals, from the first to the last.
  static func watch(on reactor: Reactor, _ received: @escaping @Sendable () -> Void) {
    wake = clinux_eventfd()
    precondition(wake >= 0, "no descriptor left for signals")
    let file = wake
    reactor.submit {
      reactor.watch(file, .read) { _ in
        clinux_eventfd_drain(file)
        received()
      }
    }
    for number in [SIGINT, SIGTERM] {
      var action = sigaction()
      action.__sigaction_handler.sa_handler = { _ in clinux_eventfd_signal(Signals.wake) }
      sigaction(number, &action, nil)
    }
  }

  /// A peer that left is told by `write`, not by a signal that ends the program.
  static func ignoreBrokenPipes() { signal(SIGPIPE, SIG_IGN) }
}
