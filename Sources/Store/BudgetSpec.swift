import Domain
import JSON
import Money

extension Budget {
  /// `{"amount": "700.00", "currency": "USD"}` or `{"messages": 1000}`.
  public init(json: JSONValue, at path: String, also known: [String] = []) throws(Problem) {
    let fields = try Fields(json, at: path, known: ["amount", "currency", "messages"] + known, later: ["per_day", "warn_at"])
    if let messages = try fields.integer("messages", in: 1...1_000_000_000) {
      guard fields["amount"] == nil, fields["currency"] == nil else {
        throw .invalid(
          fields.path(to: "messages"), "A budget is an amount of money or a number of messages, not both.",
          remedy: "Write either amount and currency, or messages.")
      }
      self = .messages(Int(messages))
      return
    }
    guard let text = try fields.text("amount", limit: 40) else {
      throw .missing(
        fields.path(to: "amount"), remedy: "Write {\"amount\": \"700.00\", \"currency\": \"USD\"} or {\"messages\": 1000}.")
    }
    guard let amount = Amount(text), amount > .zero else {
      throw .invalid(
        fields.path(to: "amount"), "This is not an amount of money above zero.",
        remedy: "Write a decimal in quotation marks, e.g. \"700.00\".")
    }
    let code = try fields.requiredText("currency", limit: 3, remedy: "Write the account's currency, e.g. \"USD\".")
    guard let currency = Currency(code), Currency.billable.contains(currency.code) else {
      throw .invalid(
        fields.path(to: "currency"), "Meta does not bill in this currency.",
        remedy: "Write one of: \(Currency.billable.sorted().joined(separator: ", ")).")
    }
    self = .amount(amount, currency)
  }

  public var json: JSONValue {
    switch self {
    case .amount(let amount, let currency):
      ["amount": .string(amount.text(minimumDecimals: 2)), "currency": .string(currency.code)]
    case .messages(let count): ["messages": .number(String(count))]
    }
  }

  /// Refuses a budget in a currency in which its messages are not billed: nothing is ever converted.
  public func check(billedIn currencies: Set<String>, at path: String) throws(Problem) {
    guard case .amount(_, let currency) = self else { return }
    guard currencies == [currency.code] else {
      throw Problem(
        422, "budget_currency", "The budget's currency is not the one that the messages are billed in.",
        detail: "Meta bills these numbers in \(currencies.sorted().joined(separator: " and ")).", field: path + "currency",
        remedy: currencies.count == 1
          ? "Write the amount in \(currencies.first ?? ""), or {\"messages\": …}."
          : "One budget can't hold two currencies: write {\"messages\": …}, or a budget for each number.")
    }
  }

  /// The limit as the pools count it.
  var limit: (amount: Amount, currency: String?) {
    switch self {
    case .amount(let amount, let currency): (amount, currency.code)
    case .messages(let count): (Amount(billionths: Int128(count) * 1_000_000_000), nil)
    }
  }

  init(limit: Amount, currency: String?) {
    if let currency = currency.flatMap({ Currency($0) }) {
      self = .amount(limit, currency)
    } else {
      self = .messages(Int(clamping: limit.billionths / 1_000_000_000))
    }
  }
}
