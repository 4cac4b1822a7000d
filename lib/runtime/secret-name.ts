const SECRET =
  /secret|password|passwd|pwd|token|(?:app|api|access|private|session)[_-]?key|authorization|credential|cookie|密码|密钥|令牌/i;

/** Whether a field or key of this name may well hold a secret. */
export const isSecretName = (name: string): boolean => SECRET.test(name);
