/// What stands around a verb.
extension StopGrammar {
  /// What a verb governs: the first word after it, in its clause, that is more than a link.
  func object(of i: Int) -> Object {
    var j = i + 1
    let clause = tokens[i].clause
    while j < tokens.count, tokens[j].clause == clause {
      switch tokens[j].role {
      case .thin, .polite, .me, .you, .again, .anything, .receive, .modal: break
      case .no where tokens[j].language == .french: break
      case .send where tokens[i].role != .send && !tokens[j].isNegated:
        // What is sent, not the sending, is the object.
        break
      case .media: return tokens[j].isOffer ? .offerOrMedia(j, tokens[i]) : .media(j)
      case .subscription: return .subscription(j)
      case .number: return .number(j)
      case .data: return .data(j)
      case .list: return .list(j)
      case .disturb: return .disturb(j)
      case .other, .change, .price, .got, .block, .origin: return .thing
      default: return .none
      }
      j += 1
    }
    return .none
  }

  /// What was named before the verb, for verbs that come last or point back.
  func namedBefore(_ i: Int, past isLast: Bool = false) -> Object? {
    guard isLast || tokens[i].hasPronoun || tokens[i].namesObjectFirst else { return nil }
    for j in stride(from: i - 1, through: 0, by: -1) {
      guard tokens[j].clause == tokens[i].clause else { return nil }
      switch tokens[j].role {
      case .thin, .polite, .me, .again, .anything, .negation, .receive, .want, .send, .you: continue
      case .media: return .media(j)
      case .subscription: return .subscription(j)
      case .number: return .number(j)
      case .data: return .data(j)
      case .list: continue
      default: return .thing
      }
    }
    return nil
  }

  /// The next token of a role, with nothing but links between.
  func next(_ i: Int, _ role: StopRole) -> Int? {
    for j in (i + 1)..<max(i + 1, tokens.count) {
      guard tokens[j].clause == tokens[i].clause else { return nil }
      if tokens[j].role == role { return j }
      guard [.thin, .polite, .me, .receive, .you].contains(tokens[j].role) else { return nil }
    }
    return nil
  }

  /// The negation over a verb, with nothing but links and wishes between.
  func negation(of i: Int) -> Int? {
    for j in stride(from: i - 1, through: max(0, i - 5), by: -1) {
      guard tokens[j].clause == tokens[i].clause else { return nil }
      switch tokens[j].role {
      case .negation, .lack: return tokens[j].role == .lack && tokens[i].role != .send ? nil : j
      case .want where tokens[j].isNegated: return j
      case .thin, .polite, .me, .want, .again, .you, .anything: continue
      // "Ne … plus": the plus belongs to the ne.
      case .no where tokens[j].language == .french: continue
      default: return nil
      }
    }
    return nil
  }

  func isNegated(_ i: Int) -> Bool {
    let token = tokens[i]
    if token.isNegated { return true }
    guard let j = negation(of: i) else { return false }
    // "لا وقفوا الرسايل" says no, then stop; "لا توقفوا" says don't. After a wish any form will do.
    let isOrder = [.cease, .cancel, .remove, .send, .begin, .resume].contains(token.role)
    if token.language == .arabic, isOrder, tokens[j].role == .negation,
      !tokens[j..<i].contains(where: { $0.role == .want })
    {
      return token.isImperfect
    }
    return true
  }

  func has(_ role: StopRole, in clause: Int) -> Bool {
    tokens.contains { $0.clause == clause && $0.role == role }
  }

  /// A question word before the verb, in its clause.
  func asked(_ i: Int, _ role: StopRole) -> Bool {
    if role == .why { return has(.why, in: tokens[i].clause) }
    return tokens[..<i].contains { $0.clause == tokens[i].clause && $0.role == role }
  }

  /// Whether the message says nothing beside the span but courtesy and links.
  func isAlone(_ span: ClosedRange<Int>, also roles: Set<StopRole> = []) -> Bool {
    tokens.indices.allSatisfy { index in
      if span.contains(index) { return true }
      let role = tokens[index].role
      return [.thin, .polite, .me, .again, .you, .anything, .modal].contains(role) || roles.contains(role)
    }
  }

  func span(_ i: Int, _ end: Int) -> ClosedRange<Int> { i...max(i, end) }

  /// An order to send, and right after it the word to be sent.
  var isInstruction: Bool {
    tokens.indices.contains { i in
      guard tokens[i].role == .send, !tokens[i].isNegated, !isNegated(i), i + 1 < tokens.count,
        tokens[i + 1].role == .cease,
        tokens[i + 1].isFirm
      else { return words(i) == ["reply"] && i + 1 < tokens.count && tokens[i + 1].role == .cease }
      return tokens[i + 1].clause == tokens[i].clause && tokens.count > i + 2
    }
  }
}

extension StopGrammar.Object {
  static func offerOrMedia(_ j: Int, _ verb: StopToken) -> StopGrammar.Object {
    verb.role == .no || verb.role == .cancel || verb.role == .lack ? .offer(j) : .media(j)
  }
}
