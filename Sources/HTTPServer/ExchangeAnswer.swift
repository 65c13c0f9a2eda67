import Reactor

/// The handler's task and what its answer does.
extension Exchange {
  /// The task starts inside this call: a handler that never suspends has its answer ready when it returns, and MHD's
  /// connection is never suspended for it.
  func startHandler() {
    guard task == nil else { return }
    let handler = server.handler
    let request = HTTPServerRequest(self)
    task = Task.immediate(executorPreference: reactor.tasks) { [self] in
      let response = await handler(request)
      onLoop { $0.respond(response) }
      guard case .stream(let produce) = response.body else { return }
      do {
        try await produce(HTTPBodyWriter(self))
        onLoop { $0.end(.finished) }
      } catch {
        // The error reaches the peer as a cut connection; a stream that ends with the server is cancelled to end well.
        let endsWell = response.endsWithServer
        onLoop { $0.end(endsWell && $0.server.isDraining ? .finished : .failed) }
      }
    }
  }

  func end(_ ending: Ending) {
    guard !isDead else { return }
    self.ending = ending
    resume()
  }

  func respond(_ response: HTTPResponse) {
    guard !isDead, self.response == nil else { return }
    self.response = response
    switch stage {
    case .atHead, .reading: answerBeforeTheEnd(response)
    case .whole: resume()
    case .replying, .closing, .over: break
    }
  }

  /// An answer while the peer may still be sending. MHD takes no answer between head and end, so it goes past MHD.
  func answerBeforeTheEnd(_ response: HTTPResponse) {
    switch response.body {
    case .abort:
      stage = .closing
      link.shut()
    case .bytes(let bytes) where bytes.count <= Link.directAnswerBytes:
      link.answerDirectly(response)
      stage = .closing
    case .bytes, .stream:
      // Too long to be sent past MHD: the rest of the body is read and forgotten first, within its deadlines.
      stage = .reading
    }
    lastProgress = .now
    resume()
  }

  /// Refuses a head: `access` is then called for what MHD thinks is the body.
  func refuse(_ refusal: Refusal) {
    link.answerDirectly(refusal.response)
    stage = .closing
  }

  func fail(_ error: HTTPBodyError) {
    failure = error
    inbox = []
    if let reader {
      self.reader = nil
      reader.resume(returning: .failure(error))
    } else if task == nil {
      answerBeforeTheEnd(HTTPResponse(error))
    }
  }
}
