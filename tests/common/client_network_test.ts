import assert from "node:assert/strict";
import { clientNetwork } from "../../src/common/client_network.ts";

Deno.test({
  name: "clientNetwork() is an IPv4 address, or the /64 of an IPv6 address",
  permissions: "none",
  fn: () => {
    for (
      const [address, network] of [
        ["192.0.2.1", "192.0.2.1"],
        ["::ffff:192.0.2.1", "192.0.2.1"],
        ["::FFFF:192.0.2.1", "192.0.2.1"],
        ["::1", "0:0:0:0::/64"],
        ["::", "0:0:0:0::/64"],
        ["2001:db8::1", "2001:db8:0:0::/64"],
        ["2001:db8:0:0:1:2:3:4", "2001:db8:0:0::/64"],
        ["2001:0DB8:0000:0000:ffff::", "2001:db8:0:0::/64"],
        ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
        ["2001:db8:1:2::", "2001:db8:1:2::/64"],
        ["fe80::1%eth0", "fe80:0:0:0::/64"],
        ["", ""],
      ] as const
    ) {
      assert.equal(clientNetwork(address), network, address);
    }
  },
});
