internal import CCurl
import Domain
import Reactor

/// One easy handle, used by one request after the other, and what its callbacks noted.
///
/// The callbacks run inside libcurl: they copy what they are lent, note it here and return. They never call libcurl.
final class Transfer {
  let easy: UnsafeMutableRawPointer
  let slot: Int
  private(set) var generation: UInt64 = 0
  private let settings: HTTPClientSettings

  /// Nil while idle.
  private(set) var completion: ((Result<HTTPAnswer, HTTPFailure>) -> Void)?
  /// The client lives as long as a request of its own is under way.
  private var client: HTTPClient?

  // What the handle carries from its last request, so that only differences are set again.
  private var method: String?
  private var hasBody = false
  private var hasUpload = false
  private var url = ""
  private var headers = HeaderList.none
  private var timeout: Int = 0
  private var connectTimeout: Int = 0

  // Noted by the callbacks of the request under way.
  private var writeBy: BootInstant?
  private var writtenAt: BootInstant?
  private var wasLate = false
  private var wasTooLarge = false
  private var wasForbidden = false
  private var isProbe = false
  private var wasProbed = false
  private var collectsAllHeaders = false
  private var answerHeaders: [(String, String)] = []
  private var answerHeaderBytes = 0
  private var headEnded = false
  private var answerBody: [UInt8] = []
  private var upload: HTTPUpload?
  /// Held while libcurl keeps its list.
  private var mail: MailEnvelope?
  private var sink: (@Sendable (UnsafeRawBufferPointer) -> Bool)?
  private var isGood = false

  static let maxHeaderBytes = 64 << 10

  init(slot: Int, settings: HTTPClientSettings) {
    guard let easy = curl_easy_init() else { fatalError("no memory for a transfer") }
    (self.easy, self.slot, self.settings) = (easy, slot, settings)
  }

  deinit { curl_easy_cleanup(easy) }

  /// Readies the handle. Nil when the request can't be one; nothing is under way then.
  func begin(
    _ request: HTTPRequest, _ client: HTTPClient, _ completion: @escaping (Result<HTTPAnswer, HTTPFailure>) -> Void
  ) -> HTTPFailure? {
    if let mail = request.mail { return begin(mail, request, client, completion) }
    guard request.headers.isSound, !request.method.isEmpty, request.method.utf8.allSatisfy({ $0 > 0x40 && $0 < 0x5B }),
      request.url.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }),
      request.url.hasPrefix("http://") || request.url.hasPrefix("https://")
    else { return .neverWritten(reason: "malformed") }
    var connectWithin = Transfer.milliseconds(settings.connectTimeout)
    if let writeBy = request.writeBy {
      let left = writeBy - .now
      guard left > .zero else { return .neverWritten(reason: "late") }
      connectWithin = min(connectWithin, Transfer.milliseconds(left))
    }
    let brings = !request.body.isEmpty
    if method != request.method || hasBody != brings || hasUpload || request.upload != nil {
      setUp(request.method, brings, request.upload != nil)
    }
    if let upload = request.upload {
      set { ccurl_set_offset($0, CURLOPT_POSTFIELDSIZE_LARGE, upload.length.map(Int64.init) ?? -1) }
    } else if hasBody || method == "POST" {
      set { ccurl_set_offset($0, CURLOPT_POSTFIELDSIZE_LARGE, Int64(request.body.count)) }
      request.body.withUnsafeBytes { bytes in
        // An empty array has no address, and none means "not set".
        set { easy in
          bytes.baseAddress.map { ccurl_set_pointer(easy, CURLOPT_COPYPOSTFIELDS, $0) }
            ?? ccurl_set_string(easy, CURLOPT_COPYPOSTFIELDS, "")
        }
      }
    }
    if url != request.url {
      url = request.url
      set { ccurl_set_string($0, CURLOPT_URL, url) }
    }
    if headers !== request.headers {
      set { ccurl_set_list($0, CURLOPT_HTTPHEADER, request.headers.list) }
      // Held until another list takes its place: libcurl keeps the pointer, not a copy.
      headers = request.headers
    }
    let within = Transfer.milliseconds(request.timeout)
    if within != timeout {
      timeout = within
      set { ccurl_set_long($0, CURLOPT_TIMEOUT_MS, within) }
    }
    if connectWithin != connectTimeout {
      connectTimeout = connectWithin
      set { ccurl_set_long($0, CURLOPT_CONNECTTIMEOUT_MS, connectWithin) }
    }
    generation += 1
    (self.completion, self.client) = (completion, client)
    (writeBy, writtenAt, wasLate, wasTooLarge) = (request.writeBy, nil, false, false)
    (wasForbidden, isProbe, wasProbed) = (false, request.isProbe, false)
    (answerHeaders, answerHeaderBytes, headEnded, answerBody) = ([], 0, false, [])
    collectsAllHeaders = request.collectsAllHeaders
    (upload, sink, isGood) = (request.upload, request.sink, false)
    return nil
  }

  /// A mail is rare: the handle is set up anew for each, and for whatever comes after it.
  private func begin(
    _ mail: MailEnvelope, _ request: HTTPRequest, _ client: HTTPClient,
    _ completion: @escaping (Result<HTTPAnswer, HTTPFailure>) -> Void
  ) -> HTTPFailure? {
    guard mail.isSound, request.url.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }),
      request.url.hasPrefix("smtp://") || request.url.hasPrefix("smtps://")
    else { return .neverWritten(reason: "malformed") }
    setUp("MAIL", false, true)
    // Of no request: the next one sets the handle up.
    method = nil
    self.mail = mail
    set { ccurl_set_string($0, CURLOPT_PROTOCOLS_STR, "smtp,smtps") }
    set { ccurl_set_string($0, CURLOPT_URL, request.url) }
    set { ccurl_set_string($0, CURLOPT_MAIL_FROM, "<\(mail.from)>") }
    set { ccurl_set_list($0, CURLOPT_MAIL_RCPT, mail.recipients) }
    // > CURLUSESSL_ALL: require SSL for all communication or fail with CURLE_USE_SSL_FAILED.
    set { ccurl_set_long($0, CURLOPT_USE_SSL, mail.password == nil ? 1 : 3) }
    if let user = mail.user { set { ccurl_set_string($0, CURLOPT_USERNAME, user) } }
    if let password = mail.password { set { ccurl_set_string($0, CURLOPT_PASSWORD, password) } }
    set { ccurl_set_long($0, CURLOPT_UPLOAD, 1) }
    set { ccurl_set_offset($0, CURLOPT_INFILESIZE_LARGE, Int64(request.body.count)) }
    set { ccurl_set_long($0, CURLOPT_TIMEOUT_MS, Transfer.milliseconds(request.timeout)) }
    set { ccurl_set_long($0, CURLOPT_CONNECTTIMEOUT_MS, Transfer.milliseconds(settings.connectTimeout)) }
    generation += 1
    (self.completion, self.client) = (completion, client)
    (writeBy, writtenAt, wasLate, wasTooLarge) = (nil, nil, false, false)
    (wasForbidden, isProbe, wasProbed) = (false, false, false)
    (answerHeaders, answerHeaderBytes, headEnded, answerBody) = ([], 0, false, [])
    (collectsAllHeaders, sink, isGood) = (false, nil, false)
    upload = HTTPUpload(of: request.body)
    return nil
  }

  /// Ends the request under way and returns whom to tell what. `code` nil: cancelled.
  func end(_ code: CURLcode?) -> (
    completion: (Result<HTTPAnswer, HTTPFailure>) -> Void, Result<HTTPAnswer, HTTPFailure>
  ) {
    guard let completion else { preconditionFailure("an idle transfer can't end") }
    let result = result(code)
    (self.completion, client, answerHeaders, answerBody) = (nil, nil, [], [])
    (upload, sink) = (nil, nil)
    return (completion, result)
  }

  var isIdle: Bool { completion == nil }

  private func result(_ code: CURLcode?) -> Result<HTTPAnswer, HTTPFailure> {
    if mail != nil {
      mail = nil
      var status = 0
      // What the server said last, also where it said no.
      let isKnown = code != nil && ccurl_get_long(easy, CURLINFO_RESPONSE_CODE, &status) == CURLE_OK
      if isKnown, code == CURLE_OK || status >= 400 {
        return .success(HTTPAnswer(status: status, headers: [], body: [], writtenAt: writtenAt ?? .now))
      }
      return .failure(.unanswered(reason: code.map(Transfer.reason) ?? "cancelled"))
    }
    guard let writtenAt else {
      if wasLate { return .failure(.neverWritten(reason: "late")) }
      if wasProbed { return .failure(.neverWritten(reason: "probed")) }
      // Of several addresses one may be allowed and down: the other is what there is to tell.
      if wasForbidden { return .failure(.neverWritten(reason: "address")) }
      // The connect limit was cut short by `writeBy`, so running into it means being late.
      if code == CURLE_OPERATION_TIMEDOUT, let writeBy, writeBy <= .now {
        return .failure(.neverWritten(reason: "late"))
      }
      return .failure(.neverWritten(reason: code.map(Transfer.reason) ?? "cancelled"))
    }
    guard let code else { return .failure(.unanswered(reason: "cancelled")) }
    // libcurl takes a head that broke off after its status line for a whole one.
    if code == CURLE_OK, !headEnded { return .failure(.unanswered(reason: "closed")) }
    var status = 0
    if code == CURLE_OK, ccurl_get_long(easy, CURLINFO_RESPONSE_CODE, &status) == CURLE_OK, status >= 200 {
      return .success(
        HTTPAnswer(status: status, headers: answerHeaders, body: answerBody, writtenAt: writtenAt))
    }
    return .failure(.unanswered(reason: wasTooLarge ? "too_large" : Transfer.reason(code)))
  }

  private static func reason(_ code: CURLcode) -> String {
    switch code {
    case CURLE_OPERATION_TIMEDOUT: "timeout"
    case CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_RESOLVE_PROXY: "dns"
    case CURLE_COULDNT_CONNECT: "refused"
    case CURLE_SSL_CONNECT_ERROR, CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CERTPROBLEM, CURLE_SSL_CIPHER,
      CURLE_SSL_CACERT_BADFILE, CURLE_SSL_ISSUER_ERROR, CURLE_SSL_ENGINE_INITFAILED, CURLE_SSL_INVALIDCERTSTATUS, CURLE_USE_SSL_FAILED:
      "tls"
    // Aborted by callback: the pre-request hook refused the second writing that a dying connection asks for.
    case CURLE_ABORTED_BY_CALLBACK, CURLE_GOT_NOTHING, CURLE_SEND_ERROR, CURLE_RECV_ERROR, CURLE_PARTIAL_FILE,
      CURLE_HTTP2, CURLE_HTTP2_STREAM:
      "closed"
    case CURLE_URL_MALFORMAT: "malformed"
    // Unsupported protocol: the answer is no HTTP/1 (`begin` lets no other URL pass).
    case CURLE_UNSUPPORTED_PROTOCOL, CURLE_WEIRD_SERVER_REPLY, CURLE_BAD_CONTENT_ENCODING, CURLE_OK: "garbled"
    default: "failed"
    }
  }

  // MARK: Setting options

  private func setUp(_ method: String, _ hasBody: Bool, _ hasUpload: Bool) {
    curl_easy_reset(easy)
    (self.method, self.hasBody, self.hasUpload) = (method, hasBody, hasUpload)
    (url, headers, timeout, connectTimeout) = ("", .none, 0, 0)
    set { ccurl_set_pointer($0, CURLOPT_PRIVATE, context) }
    set { ccurl_set_long($0, CURLOPT_NOSIGNAL, 1) }
    // A name server that hangs costs a detached thread, not the reactor's: removing a handle would wait for it.
    set { ccurl_set_long($0, CURLOPT_QUICK_EXIT, 1) }
    // Empty, not unset: unset means the environment's proxy.
    set { ccurl_set_string($0, CURLOPT_PROXY, "") }
    set { ccurl_set_string($0, CURLOPT_PROTOCOLS_STR, "http,https") }
    set { ccurl_set_long($0, CURLOPT_FOLLOWLOCATION, 0) }
    set { ccurl_set_long($0, CURLOPT_TCP_KEEPALIVE, 1) }
    let version = settings.http2 ? CURL_HTTP_VERSION_2TLS : CURL_HTTP_VERSION_1_1
    set { ccurl_set_long($0, CURLOPT_HTTP_VERSION, Int(version)) }
    if settings.http2 { set { ccurl_set_long($0, CURLOPT_PIPEWAIT, 1) } }
    set { ccurl_set_long($0, CURLOPT_SSL_VERIFYPEER, 1) }
    set { ccurl_set_long($0, CURLOPT_SSL_VERIFYHOST, 2) }
    if let caFile = settings.caFile {
      set { ccurl_set_string($0, CURLOPT_CAINFO, caFile) }
      set { ccurl_set_string($0, CURLOPT_CAPATH, nil) }
    }
    set { ccurl_set_string($0, CURLOPT_USERAGENT, settings.userAgent) }
    set { ccurl_set_list($0, CURLOPT_HTTPHEADER, headers.list) }

    set { ccurl_set_pointer($0, CURLOPT_WRITEDATA, context) }
    set { ccurl_set_receiver($0, CURLOPT_WRITEFUNCTION) { Transfer.of($3).takeBody($0, $1 * $2) } }
    set { ccurl_set_pointer($0, CURLOPT_HEADERDATA, context) }
    set { ccurl_set_receiver($0, CURLOPT_HEADERFUNCTION) { Transfer.of($3).takeHeader($0, $1 * $2) } }
    set { ccurl_set_pointer($0, CURLOPT_PREREQDATA, context) }
    if settings.targets != nil {
      set { easy in
        ccurl_set_open_socket(
          easy, { context, _, address in Transfer.of(context).opened(address) ?? ccurl_bad_socket() }, context)
      }
    }
    set { ccurl_set_prerequest($0) { context, _, _, _, _ in Transfer.of(context).mayWrite() } }

    if hasUpload {
      set { ccurl_set_pointer($0, CURLOPT_READDATA, context) }
      set { ccurl_set_receiver($0, CURLOPT_READFUNCTION) { Transfer.of($3).giveBody($0, $1 * $2) } }
    }
    switch (method, hasBody) {
    case ("MAIL", _): break
    case ("GET", false): set { ccurl_set_long($0, CURLOPT_HTTPGET, 1) }
    case ("HEAD", false): set { ccurl_set_long($0, CURLOPT_NOBODY, 1) }
    case ("POST", _): set { ccurl_set_long($0, CURLOPT_POST, 1) }
    case (_, true):
      set { ccurl_set_long($0, CURLOPT_POST, 1) }
      set { ccurl_set_string($0, CURLOPT_CUSTOMREQUEST, method) }
    case (_, false): set { ccurl_set_string($0, CURLOPT_CUSTOMREQUEST, method) }
    }
  }

  /// A refused option is a bug of ours, or memory ran out: both end the process.
  private func set(_ option: (UnsafeMutableRawPointer) -> CURLcode) {
    let code = option(easy)
    precondition(code == CURLE_OK, "libcurl refused an option: \(code.rawValue)")
  }

  private var context: UnsafeMutableRawPointer { Unmanaged.passUnretained(self).toOpaque() }

  /// The client owns its transfers for as long as libcurl may call back.
  static func of(_ context: UnsafeMutableRawPointer?) -> Transfer {
    Unmanaged<Transfer>.fromOpaque(context!).takeUnretainedValue()
  }

  /// At least 1: libcurl reads 0 as "no limit".
  private static func milliseconds(_ duration: Duration) -> Int {
    Int(max(1, (duration.nanoseconds + 999_999) / 1_000_000))
  }

  // MARK: Callbacks

  /// > CURLOPT_PREREQFUNCTION: called by libcurl after a connection has been established or a connection has been
  /// > reused (including any SSL handshaking), but before any request is actually made on the connection.
  ///
  /// libcurl writes a request a second time, on a new connection, when a kept-alive one dies before the first byte of
  /// the answer. The other side may have acted on the first copy, so the second never leaves.
  private func mayWrite() -> Int32 {
    let now = BootInstant.now
    guard writtenAt == nil else { return CURL_PREREQFUNC_ABORT }
    if isProbe {
      wasProbed = true
      return CURL_PREREQFUNC_ABORT
    }
    if let writeBy, writeBy <= now {
      wasLate = true
      return CURL_PREREQFUNC_ABORT
    }
    writtenAt = now
    return CURL_PREREQFUNC_OK
  }

  /// > CURLOPT_OPENSOCKETFUNCTION: the callback function may also return CURL_SOCKET_BAD to indicate an unrecoverable
  /// > error to libcurl.
  ///
  /// libcurl has resolved the name: whatever it said when somebody looked, this is where the bytes would go.
  private func opened(_ address: UnsafeMutablePointer<curl_sockaddr>?) -> curl_socket_t? {
    guard let address, let rule = settings.targets, let target = NetworkAddress(ccurl_address(address)),
      rule.allows(target, isEncrypted: url.hasPrefix("https://"))
    else {
      wasForbidden = true
      return nil
    }
    return ccurl_open_socket(address)
  }

  /// > CURLOPT_WRITEFUNCTION: if that amount differs from the amount passed to your callback function, it will signal
  /// > an error condition to the library.
  private func takeBody(_ bytes: UnsafeMutablePointer<CChar>?, _ count: Int) -> Int {
    if isGood, let sink { return sink(UnsafeRawBufferPointer(start: bytes, count: count)) ? count : 0 }
    guard answerBody.count + count <= settings.maxAnswerBytes else {
      wasTooLarge = true
      return 0
    }
    answerBody.append(contentsOf: UnsafeRawBufferPointer(start: bytes, count: count))
    return count
  }

  /// > CURLOPT_READFUNCTION: your function must return the actual number of bytes that it stored in the data area.
  /// > Returning 0 will signal end-of-file to the library and cause it to stop the current transfer.
  private func giveBody(_ bytes: UnsafeMutablePointer<CChar>?, _ room: Int) -> Int {
    guard let upload else { return Int(CURL_READFUNC_ABORT) }
    let count = upload.read(UnsafeMutableRawBufferPointer(start: bytes, count: room))
    return count < 0 ? Int(CURL_READFUNC_ABORT) : count
  }

  /// Called once per line, its end included; also for lines of 1xx answers, which the next status line makes void.
  private func takeHeader(_ bytes: UnsafeMutablePointer<CChar>?, _ count: Int) -> Int {
    answerHeaderBytes += count
    guard answerHeaderBytes <= Transfer.maxHeaderBytes else {
      wasTooLarge = true
      return 0
    }
    let line = UnsafeRawBufferPointer(start: bytes, count: count)
    guard let first = line.first else { return count }
    if first == 0x0D || first == 0x0A { headEnded = true }
    // The kept ones start with c, r or x: most lines end here.
    guard collectsAllHeaders || "cCrRxXH".utf8.contains(first) else { return count }
    if line.starts(with: "HTTP/".utf8) {
      answerHeaders.removeAll(keepingCapacity: true)
      headEnded = false
      // `HTTP/1.1 200 OK`
      isGood = line.dropFirst(5).drop { $0 != 0x20 }.dropFirst().first == UInt8(ascii: "2")
      return count
    }
    guard let colon = line.firstIndex(of: UInt8(ascii: ":")) else { return count }
    let name = String(decoding: line[..<colon].lazy.map { $0 >= 0x41 && $0 <= 0x5A ? $0 | 0x20 : $0 }, as: UTF8.self)
    guard collectsAllHeaders || HTTPAnswer.keptHeaders.contains(name) else { return count }
    var value = line[(colon + 1)...]
    while let byte = value.first, byte == 0x20 || byte == 0x09 { value = value.dropFirst() }
    while let byte = value.last, byte <= 0x20 { value = value.dropLast() }
    answerHeaders.append((name, String(decoding: value, as: UTF8.self)))
    return count
  }
}
