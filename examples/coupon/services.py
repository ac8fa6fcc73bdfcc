"""The services of the coupon story: "coupon" on port 9001 answers with an expiry, "push" on port 9002 prints what it would send."""
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


def service(port, answer):
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            requests = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            answers = []
            for request in requests:
                attr = request["attr"]
                print(request["receiver"], json.dumps(attr["args"], ensure_ascii=False), flush=True)
                data = answer(attr["args"])
                if not attr["ignore_result"]:
                    answers.append({"type": "res", "attr": {"request_id": attr["request_id"], "status": "ok", "data": data}})
            body = json.dumps(answers).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    return ThreadingHTTPServer(("127.0.0.1", port), Handler)


if __name__ == "__main__":
    threading.Thread(target=service(9002, lambda args: {}).serve_forever, daemon=True).start()
    service(9001, lambda args: {"expire_time": "11月20日"}).serve_forever()
