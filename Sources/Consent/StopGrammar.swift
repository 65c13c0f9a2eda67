import Domain

/// Reads what a message asks of consent from the roles of its words.
///
/// A stop is built from a verb and what it governs: *stop* or *enough* with messages, *send* under a negation and
/// without another object, *want* under a negation with messages, *cancel* with a subscription, *remove* with my
/// number. What governs another thing ("don't send the courier") is none, and what governs nothing is a doubt, unless
/// the word is strong enough to say it alone. Every verb of a message is looked at; the strongest finding holds.
struct StopGrammar {
  struct Finding {
    var verdict: StopVerdict
    /// Tokens.
    var span: ClosedRange<Int>
    /// Whether a lone "cancel" could also mean an order or an appointment.
    var isCancel = false
  }

  let tokens: [StopToken]
  /// By clause.
  let asks: [Bool]
  /// The words of a token.
  let words: (Int) -> [String]

  /// What a verb governs.
  enum Object {
    case media(Int)
    case offer(Int)
    case subscription(Int)
    case number(Int)
    case data(Int)
    case list(Int)
    case disturb(Int)
    case thing, none
  }

  func read() -> Finding? {
    // "Reply STOP to leave": somebody quotes us.
    if isInstruction { return nil }
    let found = tokens.indices.compactMap { finding(at: $0) }
    let order: [StopVerdict] = [.stopPlus, .stop, .start, .ask]
    for verdict in order {
      if let first = found.first(where: { $0.verdict == verdict }) { return first }
    }
    return nil
  }

  private func finding(at i: Int) -> Finding? {
    switch tokens[i].role {
    case .cease: cease(i)
    case .leave: leave(i)
    case .cancel: cancel(i)
    case .enough, .fedUp: enough(i)
    case .send: send(i)
    case .want: want(i)
    case .disturb: disturb(i)
    case .remove: remove(i)
    case .begin, .resume: begin(i)
    case .threat, .doing: threat(i)
    case .block: isAlone(i...i) ? Finding(verdict: .ask, span: i...i) : nil
    case .number: origin(i)
    case .no, .lack: no(i)
    case .idiom: isNegated(i) ? nil : Finding(verdict: .stop, span: i...i)
    case .doubt: doubt(i)
    default: nil
    }
  }

  // MARK: Verbs

  private func cease(_ i: Int) -> Finding? {
    let verb = tokens[i]
    if verb.isStatement { return nil }
    let object = object(of: i)
    if asked(i, .why) || asked(i, .question), case .media(let end) = object, !has(.price, in: verb.clause) {
      return Finding(verdict: .ask, span: i...end)
    }
    if isNegated(i) || asked(i, .question) { return nil }
    switch object {
    case .media(let end), .offer(let end), .subscription(let end), .disturb(let end):
      return Finding(verdict: .stop, span: span(i, end))
    case .number, .data, .list, .thing: return nil
    case .none: break
    }
    if let named = namedBefore(i) {
      switch named {
      case .media(let start), .offer(let start), .subscription(let start):
        return Finding(verdict: .stop, span: start...i)
      default: return nil
      }
    }
    // "Stop sending", "بطلوا تبعتوا": what is sent need not be said.
    if let sent = next(i, .send), !tokens[sent].isNegated, case .none = self.object(of: sent) {
      return Finding(verdict: .stop, span: i...sent)
    }
    guard isAlone(i...i) else { return nil }
    // "Stop them" points at something, and what else did we send?
    let isSure = (verb.isFirm || verb.hasPronoun) && !asks[verb.clause]
    return Finding(verdict: isSure ? .stop : .ask, span: i...i)
  }

  private func leave(_ i: Int) -> Finding? {
    if isNegated(i) || has(.price, in: tokens[i].clause) { return nil }
    // "Unsubscribe from what?"
    if tokens[(i + 1)...].contains(where: { $0.clause == tokens[i].clause && $0.role == .question }) { return nil }
    let doubts = asked(i, .question) || asked(i, .why) || (asks[tokens[i].clause] && !has(.modal, in: tokens[i].clause))
    return Finding(verdict: doubts ? .ask : .stop, span: i...i)
  }

  private func cancel(_ i: Int) -> Finding? {
    let verb = tokens[i]
    if isNegated(i) || verb.isStatement || has(.price, in: verb.clause) { return nil }
    switch object(of: i) {
    case .subscription(let end), .media(let end):
      let doubts = asked(i, .question) || (asks[verb.clause] && !has(.modal, in: verb.clause))
      return Finding(verdict: doubts ? .ask : .stop, span: i...end)
    case .number, .data, .list, .thing, .offer, .disturb: return nil
    case .none: break
    }
    if let named = namedBefore(i) {
      guard case .subscription(let start) = named else { return nil }
      return Finding(verdict: .stop, span: start...i)
    }
    return isAlone(i...i) ? Finding(verdict: .ask, span: i...i, isCancel: true) : nil
  }

  private func enough(_ i: Int) -> Finding? {
    if isNegated(i) || asked(i, .question) { return nil }
    switch object(of: i) {
    case .media(let end), .offer(let end), .disturb(let end): return Finding(verdict: .stop, span: i...end)
    case .number, .data, .list, .subscription, .thing: return nil
    case .none: break
    }
    if let sent = next(i, .send), case .none = object(of: sent) { return Finding(verdict: .stop, span: i...sent) }
    guard tokens[i].role == .enough, isAlone(i...i) else { return nil }
    return Finding(verdict: .ask, span: i...i)
  }

  private func send(_ i: Int) -> Finding? {
    let verb = tokens[i]
    guard verb.isNegated || isNegated(i), !verb.isStatement, !asked(i, .why), !asked(i, .question) else { return nil }
    // "Stop sending", under the verb before.
    let start = negation(of: i) ?? i
    switch object(of: i) {
    case .media(let end), .offer(let end): return Finding(verdict: .stop, span: start...end)
    case .subscription, .number, .data, .list, .thing, .disturb: return nil
    case .none: break
    }
    if verb.namesObjectFirst || verb.hasPronoun {
      switch namedBefore(i, past: true) {
      case .media(let start), .offer(let start): return Finding(verdict: .stop, span: start...i)
      case .some: return nil
      case nil: if verb.hasPronoun { return nil }
      }
    }
    let rest = tokens[(i + 1)...].prefix { $0.clause == verb.clause }
    let insists = rest.contains { $0.role == .again || $0.role == .anything }
    // "Don't send" may be about an order; "don't text me" and the Arabic verbs with their plural are not.
    let isSure = insists || verb.language != .english || rest.contains { $0.role == .me }
    let isWeak =
      verb.language == .english && !insists && words(i).contains { $0.hasPrefix("send") || $0.hasPrefix("cal") }
    return Finding(verdict: isSure && !isWeak ? .stop : .ask, span: start...i)
  }

  private func want(_ i: Int) -> Finding? {
    let verb = tokens[i]
    let negated = verb.isNegated || isNegated(i)
    guard negated else { return wish(i) }
    if asked(i, .why) || asked(i, .question) || has(.except, in: verb.clause) { return nil }
    let start = negation(of: i) ?? i
    switch object(of: i) {
    case .media(let end), .offer(let end), .subscription(let end): return Finding(verdict: .stop, span: start...end)
    case .number, .data, .list, .thing: return nil
    case .disturb(let end): return Finding(verdict: .stop, span: start...end)
    case .none: break
    }
    if verb.namesObjectFirst {
      switch namedBefore(i, past: true) {
      case .media(let start), .offer(let start): return Finding(verdict: .stop, span: start...i)
      case .some: return nil
      case nil: break
      }
    } else if let named = namedBefore(i), case .media(let start) = named {
      return Finding(verdict: .stop, span: start...i)
    }
    if let sent = next(i, .send), !tokens[sent].isNegated, case .none = object(of: sent) {
      return Finding(verdict: .stop, span: start...sent)
    }
    return isAlone(start...i) ? Finding(verdict: .ask, span: start...i) : nil
  }

  /// "I want to subscribe", "I want to receive messages".
  private func wish(_ i: Int) -> Finding? {
    let clause = tokens[i].clause
    if has(.price, in: clause) || asked(i, .question) || asks[clause] { return nil }
    var hasReceive = false
    for j in (i + 1)..<tokens.count where tokens[j].clause == clause {
      switch tokens[j].role {
      case .thin, .polite, .again, .me: continue
      case .receive: hasReceive = true
      case .subscription: return isAlone(i...j) ? Finding(verdict: .start, span: i...j) : nil
      case .media where hasReceive: return isAlone(i...j) ? Finding(verdict: .start, span: i...j) : nil
      default: return nil
      }
    }
    return nil
  }

  private func disturb(_ i: Int) -> Finding? {
    let verb = tokens[i]
    if verb.isNegated || isNegated(i) {
      return Finding(verdict: .stop, span: (negation(of: i) ?? i)...i)
    }
    switch object(of: i) {
    case .media(let end), .offer(let end): return Finding(verdict: .stop, span: i...end)
    default: break
    }
    return isAlone(i...i, also: [.question, .media]) ? Finding(verdict: .ask, span: i...i) : nil
  }

  private func remove(_ i: Int) -> Finding? {
    let verb = tokens[i]
    if isNegated(i) || verb.isStatement || asked(i, .question) { return nil }
    switch object(of: i) {
    case .number(let end):
      // An old number that is to be replaced is not a farewell.
      let after = tokens[(end + 1)...].first { $0.clause == verb.clause && $0.role != .thin && $0.role != .polite }
      if let after, [.change, .other].contains(after.role) { return nil }
      return Finding(verdict: .stopPlus, span: i...end)
    case .data(let end): return Finding(verdict: .stopPlus, span: i...end)
    case .list(let end):
      return verb.hasMe || tokens[i...end].contains { $0.role == .me }
        ? Finding(verdict: .stopPlus, span: i...end) : nil
    case .subscription(let end): return Finding(verdict: .stop, span: i...end)
    case .media(let end):
      return verb.hasMe || tokens[i...end].contains { $0.role == .me } ? Finding(verdict: .stop, span: i...end) : nil
    case .none:
      if verb.namesObjectFirst, let named = namedBefore(i, past: true) {
        switch named {
        case .number(let start), .data(let start): return Finding(verdict: .stopPlus, span: start...i)
        case .subscription(let start): return Finding(verdict: .stop, span: start...i)
        case .list(let start):
          // The number may stand before the list it is taken from.
          return Finding(verdict: .stopPlus, span: start...i)
        default: return nil
        }
      }
      return verb.hasMe && isAlone(i...i) ? Finding(verdict: .stopPlus, span: i...i) : nil
    case .thing, .offer, .disturb: return nil
    }
  }

  private func begin(_ i: Int) -> Finding? {
    let verb = tokens[i]
    let clause = verb.clause
    if isNegated(i) || verb.isStatement || has(.price, in: clause) || has(.question, in: clause) || asks[clause] {
      return nil
    }
    var j = i + 1
    var hasObject = false
    while j < tokens.count, tokens[j].clause == clause {
      switch tokens[j].role {
      case .thin, .polite, .me, .again, .anything, .send, .receive: break
      case .media, .subscription, .begin: hasObject = true
      default: return nil
      }
      j += 1
    }
    let isEnough = verb.role == .begin || hasObject
    let end = max(i, j - 1)
    guard isEnough, isAlone(i...end, also: [.want]) else { return nil }
    return Finding(verdict: .start, span: i...end)
  }

  private func threat(_ i: Int) -> Finding? {
    let verb = tokens[i]
    if isNegated(i) { return nil }
    var j = i + 1
    while j < tokens.count, tokens[j].clause == verb.clause, [.thin, .me, .polite].contains(tokens[j].role) { j += 1 }
    let follower = j < tokens.count && tokens[j].clause == verb.clause ? tokens[j].role : nil
    if verb.role == .doing {
      if follower == .you, j + 1 < tokens.count, tokens[j + 1].role == .block || tokens[j + 1].role == .threat {
        j += 1
      }
      guard verb.isFirstPerson || i > 0, j < tokens.count, tokens[j].role == .block || tokens[j].role == .threat else {
        return nil
      }
      return Finding(verdict: .stopPlus, span: i...j)
    }
    if verb.language == .english {
      let speaks =
        i > 0
        && ["i wil", "il", "im going to", "i am going to", "gona", "going to"].contains(
          words(i - 1).joined(separator: " "))
      guard speaks || follower == .you else {
        return words(i) == ["block"] && isAlone(i...i) ? Finding(verdict: .ask, span: i...i) : nil
      }
      guard speaks, follower == .you || follower == nil else { return nil }
      return Finding(verdict: .stopPlus, span: i...min(j, tokens.count - 1))
    }
    guard verb.isFirstPerson || (i > 0 && words(i - 1).last == "راح") else { return nil }
    if follower == .you { return Finding(verdict: .stopPlus, span: i...j) }
    // "هبلغكم" is news; "هحظركم" is none.
    let isBlocking = words(i).contains { $0.contains("حظر") || $0.contains("بلك") }
    return verb.hasYou && isBlocking ? Finding(verdict: .stopPlus, span: i...i) : nil
  }

  /// "Where did you get my number?"
  private func origin(_ i: Int) -> Finding? {
    let clause = tokens[i].clause
    let asksWhere = has(.origin, in: clause)
    let asksAll = has(.question, in: clause)
    guard asksWhere || (asksAll && has(.got, in: clause)) else { return nil }
    guard !tokens.contains(where: { $0.clause == clause && $0.role == .other }) || has(.got, in: clause) else {
      return nil
    }
    return Finding(verdict: .ask, span: i...i)
  }

  private func no(_ i: Int) -> Finding? {
    if isNegated(i) && tokens[i].language != .french { return nil }
    if asks[tokens[i].clause] { return nil }
    switch object(of: i) {
    case .media(let end):
      return isAlone(i...end) || tokens[i].role == .lack ? Finding(verdict: .stop, span: i...end) : nil
    case .offer(let end):
      // "Plus d'offres" may as well mean more of them.
      let isSure = words(i).count > 1 || tokens[i].role == .lack
      guard tokens[i].language != .french, isAlone(i...end) || tokens[i].role == .lack else { return nil }
      return Finding(verdict: isSure ? .stop : .ask, span: i...end)
    case .disturb(let end): return Finding(verdict: .stop, span: i...end)
    default: break
    }
    if tokens[i].role == .no, isAlone(i...i), words(i) == ["no", "more"] { return Finding(verdict: .ask, span: i...i) }
    if tokens[i].role == .lack, let sent = next(i, .send) {
      switch object(of: sent) {
      case .none, .media, .offer: return Finding(verdict: .stop, span: i...sent)
      default: return nil
      }
    }
    return nil
  }

  private func doubt(_ i: Int) -> Finding? {
    if isNegated(i) { return nil }
    switch object(of: i) {
    case .media(let end), .offer(let end): return Finding(verdict: .stop, span: i...end)
    default: return isAlone(i...i, also: [.question]) ? Finding(verdict: .ask, span: i...i) : nil
    }
  }
}
