/**
 * A client and a server with a key to sign with and a certificate for it, made with OpenSSL 3.0 for these tests and used
 * nowhere else. Self-signed; valid from November 2026 for a hundred years.
 */
const BASE64 = {
  client: {
    privateKey:
      "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg8sNU6+znCUbpPuApDvGRnC8urzzK3p6cwE6AT0gCR/ahRANCAATGXrSXpiumyt5I" +
      "5dWVpsQI6025OpKixKCltxagoypCRUJQwOFDEVYdZwc10Z8Br84Ys8FnvA2rVaRLoTn5c83F",
    certificate:
      "MIIBlzCCAT2gAwIBAgIUUndqCtET6ZnHNGVb6hdCpKz4NaQwCgYIKoZIzj0EAwIwGzEZMBcGA1UEAwwQNEQ0RDREMDAwMDAwMDAwMTAgFw0yNjEx" +
      "MjEyMTQ4MDFaGA8yMTI2MTAyODIxNDgwMVowGzEZMBcGA1UEAwwQNEQ0RDREMDAwMDAwMDAwMTBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABMZe" +
      "tJemK6bK3kjl1ZWmxAjrTbk6kqLEoKW3FqCjKkJFQlDA4UMRVh1nBzXRnwGvzhizwWe8DatVpEuhOflzzcWjXTBbMB0GA1UdDgQWBBR2wMe7tF+/" +
      "OAfW5tMaGupfgAeCFDAfBgNVHSMEGDAWgBR2wMe7tF+/OAfW5tMaGupfgAeCFDAOBgNVHQ8BAf8EBAMCB4AwCQYDVR0TBAIwADAKBggqhkjOPQQD" +
      "AgNIADBFAiAo6AB7hOMzjCVDtdyx2dg+LM3HgwGtyQHk8lOLN3PhHwIhANsvd3WePlasTV8C+730Sr4Bw9E2I+aaQOZcHGkdyyAs",
  },
  server: {
    privateKey:
      "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg/acjOmkwKu/5l5z8N/ND4IelgPWtnisxvEl+qiW1/EChRANCAAQFftCijg2YE7k9" +
      "YZklFEzzJLjk8lzu5nNHWT5udHNRb1YjiYTik8TsPcVp4bKZF7Nm4SCvJzxAyx/63Ko35q0E",
    certificate:
      "MIIBljCCAT2gAwIBAgIUCmyx3BEgWzugqtq+SQpwYyzV09MwCgYIKoZIzj0EAwIwGzEZMBcGA1UEAwwQNEQ0RDREMDAwMEJDNjE0RTAgFw0yNjEx" +
      "MjEyMTQ4MDFaGA8yMTI2MTAyODIxNDgwMVowGzEZMBcGA1UEAwwQNEQ0RDREMDAwMEJDNjE0RTBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABAV+" +
      "0KKODZgTuT1hmSUUTPMkuOTyXO7mc0dZPm50c1FvViOJhOKTxOw9xWnhspkXs2bhIK8nPEDLH/rcqjfmrQSjXTBbMB0GA1UdDgQWBBSuIacVQGFU" +
      "POiQsubV2x321vHzlzAfBgNVHSMEGDAWgBSuIacVQGFUPOiQsubV2x321vHzlzAOBgNVHQ8BAf8EBAMCB4AwCQYDVR0TBAIwADAKBggqhkjOPQQD" +
      "AgNHADBEAiBaIswC/xiS3izalI4FDkSjN1sBOHwh3rXHPG91qxI8DQIgQTI0JrpuMf0M/UFH8UqO3OFGL+JyJF5pmz4bh3miKmM=",
  },
} as const;

function identity({ privateKey, certificate }: { readonly privateKey: string; readonly certificate: string }) {
  return {
    privateKey: `-----BEGIN PRIVATE KEY-----\n${privateKey}\n-----END PRIVATE KEY-----\n`,
    certificate: new Uint8Array(Buffer.from(certificate, "base64")),
  };
}

/** By system title: 4D4D4D0000000001 and 4D4D4D0000BC614E. */
export const SIGNING_IDENTITIES = { client: identity(BASE64.client), server: identity(BASE64.server) } as const;
