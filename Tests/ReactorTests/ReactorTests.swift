import Domain
import Reactor
import Testing

actor Counter {
  nonisolated let reactor: Reactor
  nonisolated var unownedExecutor: UnownedSerialExecutor { reactor.asUnownedSerialExecutor() }
  var count = 0
  init(_ reactor: Reactor) { self.reactor = reactor }
  func add() { count += reactor.isOnLoop ? 1 : 0 }
}

@Suite struct `A reactor` {
  @Test func `runs an actor's work on its own thread`() async {
    let reactor = Reactor(name: "test")
    reactor.start()
    let counter = Counter(reactor)
    await withTaskGroup(of: Void.self) { group in
      for _ in 0..<100 { group.addTask { await counter.add() } }
    }
    #expect(await counter.count == 100)
    reactor.stop()
  }

  @Test func `fires timers in order of their deadlines and not before`() async throws {
    let reactor = Reactor(name: "test")
    reactor.start()
    let fired = Lock([Int]())
    let start = BootInstant.now
    await withCheckedContinuation { (done: CheckedContinuation<Void, Never>) in
      reactor.submit {
        for index in [3, 1, 2] {
          reactor.schedule(at: start + .milliseconds(index * 3)) { fired.with { $0.append(index) } }
        }
        let never = reactor.schedule(at: start + .milliseconds(4)) { fired.with { $0.append(99) } }
        reactor.cancel(never)
        reactor.schedule(at: start + .milliseconds(12)) { done.resume() }
      }
    }
    #expect(BootInstant.now - start >= .milliseconds(12))
    #expect(fired.with { $0 } == [1, 2, 3])
    reactor.stop()
  }

  @Test func `ends a sleep at once when its task is cancelled`() async {
    let reactor = Reactor(name: "test")
    reactor.start()
    let sleeper = Task { try await reactor.sleep(for: .seconds(60)) }
    sleeper.cancel()
    await #expect(throws: CancellationError.self) { try await sleeper.value }
    reactor.stop()
  }
}
